'use strict';
// The stock ali-ons client, told by lines on stdin what to do; ../README.md has the contract.

const dns = require('dns').promises;
const net = require('net');
const readline = require('readline');
const { Consumer, Message, Producer } = require('ali-ons');

const REBALANCE_MS = 2000; // it does not obey the broker's notice of a changed group
const quiet = { info() {}, debug() {}, warn: console.error, error: console.error };
const consumers = new Map();
let nameServers = [];
let producer;

function emit(id, event, fields = {}) {
  process.stdout.write(JSON.stringify(Object.assign({ id, event }, fields)) + '\n');
}

/** Addresses: with names in them this client finds no broker. */
async function resolve(list) {
  return Promise.all(list.split(';').map(async one => {
    const [ host, port ] = one.split(':');
    return net.isIP(host) ? one : `${(await dns.lookup(host, 4)).address}:${port}`;
  }));
}

/** What both kinds of client are told; the HTTP client is for looking up name servers, and unused. */
function settings(more) {
  return Object.assign({ httpclient: {}, nameSrv: nameServers, logger: quiet, rebalanceInterval: REBALANCE_MS }, more);
}

async function theProducer() {
  if (!producer) {
    producer = new Producer(settings({ producerGroup: 'compat-producer', instanceName: `producer-${process.pid}`, maxMessageSize: 4 << 20 }));
    producer.on('error', error => console.error(error));
    await producer.ready();
  }
  return producer;
}

function message(index, options) {
  const tags = (options.tags || '').split(',');
  const body = `${options.body || 'body'}-${index}`.padEnd(Number(options.size || 0), '.');
  const made = new Message(options.topic, tags[index % tags.length], body);
  if (options.keys) {
    made.keys = [ `${options.keys}-${index}` ];
  }
  if (options.property) {
    made.properties.compat = options.property;
  }
  if (options.delay) {
    made.delayTimeLevel = Number(options.delay);
  }
  return made;
}

async function send(id, options) {
  const from = await theProducer();
  const one = async index => {
    const made = message(index, options);
    const body = made.body.toString();
    const result = await from.send(made);
    emit(id, 'sent', {
      status: result.sendStatus,
      msgId: result.msgId,
      offsetMsgId: result.msgId,
      broker: result.messageQueue.brokerName,
      queueId: Number(result.messageQueue.queueId),
      offset: result.queueOffset,
      body,
    });
  };
  const indexes = Array.from({ length: Number(options.count || 1) }, (_, index) => index);
  switch (options.mode || 'sync') {
    case 'sync':
      for (const index of indexes) {
        await one(index);
      }
      break;
    case 'async': await Promise.all(indexes.map(one)); break;
    default: throw new Error(`this client does not send ${options.mode}`);
  }
}

async function push(options) {
  const later = Number(options.later || 0);
  const consumer = new Consumer(settings({
    consumerGroup: options.group,
    instanceName: options.name,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  }));
  consumer.on('error', error => console.error(error));
  consumers.set(options.name, consumer);
  consumer.subscribe(options.topic, options.tags || '*', async got => {
    emit('0', 'received', {
      consumer: options.name,
      topic: options.topic,
      msgId: got.msgId,
      queueId: got.queueId,
      offset: Number(got.queueOffset),
      position: Number(got.commitLogOffset),
      tags: got.tags,
      keys: got.keys,
      body: got.body.toString(),
      property: got.properties.compat,
      storeHost: got.storeHost,
      reconsumeTimes: got.reconsumeTimes,
      at: Date.now(),
    });
    return got.reconsumeTimes < later ? Consumer.ACTION_RETRY : undefined;
  });
  await consumer.ready();
}

async function stop(name) {
  const consumer = consumers.get(name);
  consumers.delete(name);
  await consumer.close();
}

/** Do what one line says and end it by one event, done or error. */
async function obey(line) {
  const [ id, command, ...words ] = line.trim().split(/ +/);
  const options = {};
  for (const word of words) {
    const at = word.indexOf('=');
    options[word.slice(0, at)] = decodeURIComponent(word.slice(at + 1).replace(/\+/g, ' '));
  }
  try {
    switch (command) {
      case 'send': await send(id, options); break;
      case 'push': await push(options); break;
      case 'stop': await stop(options.name); break;
      default: throw new Error(`no command ${command}`);
    }
    emit(id, 'done');
    return true;
  } catch (error) {
    emit(id, 'error', { type: error.name, message: error.message });
    console.error(error);
    return false;
  }
}

async function main() {
  let good = true;
  nameServers = await resolve(process.argv[2]);
  if (process.argv.length > 3) {
    good = await obey([ '0', ...process.argv.slice(3) ].join(' '));
  } else {
    emit('0', 'ready');
    for await (const line of readline.createInterface({ input: process.stdin })) {
      if (line.endsWith(' quit')) {
        break;
      }
      good = await obey(line) && good;
    }
  }
  for (const name of [ ...consumers.keys() ]) {
    await stop(name);
  }
  if (producer) {
    await producer.close();
  }
  process.exit(good ? 0 : 1);
}

main();
