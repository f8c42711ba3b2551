package mcpwire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Stream returns a response that no server sent, with a body whose length is not known. The
// media type "" means none.
func Stream(req *http.Request, code int, mediaType string, body io.ReadCloser) *http.Response {
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: body, ContentLength: -1, Request: req,
	}
	if mediaType != "" {
		resp.Header.Set("Content-Type", mediaType)
	}
	return resp
}

// Respond is Stream for a JSON text; a nil text means that there is no body.
func Respond(req *http.Request, code int, text []byte) *http.Response {
	mediaType := TypeJSON
	if text == nil {
		mediaType = ""
	}
	resp := Stream(req, code, mediaType, io.NopCloser(bytes.NewReader(text)))
	resp.ContentLength = int64(len(text))
	return resp
}
