// Package mcpwire has what both ends of MCP read and write: JSON-RPC messages, and the
// headers of Streamable HTTP, among them those that repeat a message (SEP-2243). It must
// not know who sends a message, or why.
package mcpwire
