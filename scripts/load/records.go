package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	magicV1 = 0xDAA320A7
	magicV2 = 0xDAA320AB

	// Where the fields of a stored message with IPv4 hosts begin.
	atCRC         = 8
	atQueue       = 12
	atQueueOffset = 20
	atBodyLength  = 84
	atBody        = 88
)

// checkRecords walks the messages of a pulled body and compares every one with what was sent:
// queue, its place in it, checksum, topic, unique key and body. It gives how many there are.
func checkRecords(body []byte, topic string, queue int, offset int64, size int, bare bool) (int, error) {
	count := 0
	for len(body) > 0 {
		if len(body) < atBody {
			return count, fmt.Errorf("%d bytes after the last message", len(body))
		}
		total := int(binary.BigEndian.Uint32(body))
		if total < atBody || total > len(body) {
			return count, fmt.Errorf("message of %d bytes in %d", total, len(body))
		}
		if err := checkRecord(body[:total], topic, queue, offset+int64(count), size, bare); err != nil {
			return count, fmt.Errorf("message %d of queue %d: %w", offset+int64(count), queue, err)
		}
		body = body[total:]
		count++
	}
	return count, nil
}

func checkRecord(record []byte, topic string, queue int, offset int64, size int, bare bool) error {
	magic := binary.BigEndian.Uint32(record[4:])
	if magic != magicV1 && magic != magicV2 {
		return fmt.Errorf("magic %#x", magic)
	}
	if got := int(binary.BigEndian.Uint32(record[atQueue:])); got != queue {
		return fmt.Errorf("is of queue %d", got)
	}
	if got := int64(binary.BigEndian.Uint64(record[atQueueOffset:])); got != offset {
		return fmt.Errorf("its own offset is %d", got)
	}
	if got := int(binary.BigEndian.Uint32(record[atBodyLength:])); got != size || atBody+size > len(record) {
		return fmt.Errorf("body of %d bytes, expected %d", got, size)
	}
	sent := record[atBody : atBody+size]
	if got := binary.BigEndian.Uint32(record[atCRC:]); got != crc32.ChecksumIEEE(sent)&0x7FFFFFFF {
		return fmt.Errorf("checksum %#x is not its body's", got)
	}
	rest := record[atBody+size:]
	lengthSize := 1
	if magic == magicV2 {
		lengthSize = 2
	}
	if len(rest) < lengthSize+len(topic)+2 || string(rest[lengthSize:lengthSize+len(topic)]) != topic ||
		int(rest[lengthSize-1]) != len(topic) {
		return fmt.Errorf("topic is not %s", topic)
	}
	rest = rest[lengthSize+len(topic):]
	properties := rest[2:]
	if int(binary.BigEndian.Uint16(rest)) != len(properties) {
		return fmt.Errorf("%d bytes of properties, their length says otherwise", len(properties))
	}
	if bare {
		return nil
	}
	const name = "UNIQ_KEY\x01"
	at := bytes.Index(properties, []byte(name))
	if at < 0 || len(properties) < at+len(name)+keyLength {
		return fmt.Errorf("no unique key in %q", properties)
	}
	key := properties[at+len(name):][:keyLength]
	if !bytes.Equal(key[keyLength-8:], sent[:8]) {
		return fmt.Errorf("key %s, but body %.8s", key, sent)
	}
	if !bytes.Contains(properties, []byte("TAGS\x01"+tag)) {
		return fmt.Errorf("no tag in %q", properties)
	}
	return checkPattern(sent)
}

// checkPattern compares a body with what fillBody made of the number that it begins with.
func checkPattern(body []byte) error {
	message := 0
	for _, c := range body[:8] {
		digit := int(c - '0')
		if c > '9' {
			digit = int(c-'A') + 10
		}
		message = message<<4 | digit
	}
	for i := 8; i < len(body); i++ {
		if body[i] != pattern[(i+message)%len(pattern)] {
			return fmt.Errorf("byte %d of the body is %q", i, body[i])
		}
	}
	return nil
}
