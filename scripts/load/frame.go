package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Request codes by RocketMQ's names.
const (
	sendMessageV2      = 310
	pullMessage        = 11
	createTopic        = 17
	getMaxOffset       = 30
	heartBeat          = 34
	endTransaction     = 37
	getRouteInfo       = 105
	responseFlag       = 1
	frameMax           = 16 << 20
	bufferSize         = 64 << 10
	smallBuffer        = 1 << 10 // of a connection that says little
	answerWait         = 20 * time.Second
	wholeDecodeEvery   = 64 // every so many answers the header is decoded as JSON, not only searched
	clientVersion      = "479"
	jsonHeaderEncoding = 0
)

// link is one client's connection; it is used by one goroutine.
type link struct {
	socket   net.Conn
	in       *bufio.Reader
	out      *bufio.Writer
	request  []byte
	received []byte
	answers  uint64
	language string
}

// answer is one response; header and body live until the next one is read.
type answer struct {
	code, opaque int
	header, body []byte
}

func connect(address, language string, buffer int) (*link, error) {
	socket, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &link{
		socket:   socket,
		in:       bufio.NewReaderSize(socket, buffer),
		out:      bufio.NewWriterSize(socket, buffer),
		language: language,
	}, nil
}

// write puts one request into the buffer, header fields in the order of the Java client:
// alphabetical. fields is the JSON object of extFields.
func (l *link) write(code, opaque int, fields, body []byte) error {
	frame := append(l.request[:0], 0, 0, 0, 0, 0, 0, 0, 0)
	frame = append(frame, `{"code":`...)
	frame = strconv.AppendInt(frame, int64(code), 10)
	frame = append(frame, `,"extFields":`...)
	frame = append(frame, fields...)
	frame = append(frame, `,"flag":0,"language":"`...)
	frame = append(frame, l.language...)
	frame = append(frame, `","opaque":`...)
	frame = strconv.AppendInt(frame, int64(opaque), 10)
	frame = append(frame, `,"serializeTypeCurrentRPC":"JSON","version":`+clientVersion+`}`...)
	binary.BigEndian.PutUint32(frame[4:], uint32(len(frame)-8)) // encoding 0 is JSON
	frame = append(frame, body...)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	l.request = frame
	_, err := l.out.Write(frame)
	return err
}

// read gives the next response and skips what the server asks on its own, such as notices of
// changed consumers. It sends what is buffered before it waits.
func (l *link) read() (answer, error) {
	for {
		if l.in.Buffered() == 0 {
			if err := l.out.Flush(); err != nil {
				return answer{}, err
			}
			if err := l.socket.SetReadDeadline(time.Now().Add(answerWait)); err != nil {
				return answer{}, err
			}
		}
		got, flag, err := l.readFrame()
		if err != nil || flag&responseFlag != 0 {
			return got, err
		}
	}
}

func (l *link) readFrame() (answer, int, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(l.in, lengths[:]); err != nil {
		return answer{}, 0, err
	}
	rest := int64(binary.BigEndian.Uint32(lengths[:])) - 4
	mark := binary.BigEndian.Uint32(lengths[4:])
	headerLength := int64(mark & 0xFFFFFF)
	if rest < 0 || rest > frameMax || headerLength > rest || mark>>24 != jsonHeaderEncoding {
		return answer{}, 0, fmt.Errorf("frame of %d bytes with header mark %#x", rest+4, mark)
	}
	if int64(cap(l.received)) < rest {
		l.received = make([]byte, rest)
	}
	content := l.received[:rest]
	if _, err := io.ReadFull(l.in, content); err != nil {
		return answer{}, 0, err
	}
	header := content[:headerLength]
	if l.answers++; l.answers%wholeDecodeEvery == 1 && !json.Valid(header) {
		return answer{}, 0, fmt.Errorf("header is not JSON: %.200q", header)
	}
	code, hasCode := number(header, `"code":`)
	opaque, hasOpaque := number(header, `"opaque":`)
	flag, hasFlag := number(header, `"flag":`)
	if !hasCode || !hasOpaque || !hasFlag {
		return answer{}, 0, fmt.Errorf("header without code, opaque or flag: %.200q", header)
	}
	return answer{int(code), int(opaque), header, content[headerLength:]}, int(flag), nil
}

// number finds what follows `"name":`, in quotes or not. Inside of a JSON string the name's
// quotes would be escaped, so the text is a field's name wherever it is found.
func number(header []byte, name string) (int64, bool) {
	at := bytes.Index(header, []byte(name))
	if at < 0 {
		return 0, false
	}
	digits := header[at+len(name):]
	if len(digits) > 0 && digits[0] == '"' {
		digits = digits[1:]
	}
	value, negative, count := int64(0), false, 0
	for i, c := range digits {
		if i == 0 && c == '-' {
			negative = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		value = value*10 + int64(c-'0')
		count++
	}
	if negative {
		value = -value
	}
	return value, count > 0
}

// call sends one request and waits for its response.
func (l *link) call(code, opaque int, fields, body []byte) (answer, error) {
	if err := l.write(code, opaque, fields, body); err != nil {
		return answer{}, err
	}
	got, err := l.read()
	if err != nil {
		return got, err
	}
	if got.opaque != opaque {
		return got, fmt.Errorf("opaque %d, expected %d", got.opaque, opaque)
	}
	return got, nil
}

// mustSucceed is call, and any code but 0 is an error.
func (l *link) mustSucceed(code, opaque int, fields, body []byte) (answer, error) {
	got, err := l.call(code, opaque, fields, body)
	if err == nil && got.code != 0 {
		err = fmt.Errorf("request %d got code %d: %.300s", code, got.code, got.header)
	}
	return got, err
}
