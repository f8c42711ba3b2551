package clientconfig

import "fmt"

// remote is a server that is sent a header from a variable. The format says how
// the client refers to one.
func remote(reference string) func(Entry) fields {
	return func(e Entry) fields {
		return fields{{"type", "http"}, {"url", e.URL}, authorization(fmt.Sprintf(reference, e.Variable))}
	}
}

func authorization(reference string) field {
	return field{"headers", fields{{"Authorization", reference}}}
}

// https://learn.chatgpt.com/docs/extend/mcp and its configuration reference.
// Codex gives its children few variables unless they are named.
func codexProxy(e Entry) fields {
	f := command(e)
	if len(e.Variables) > 0 {
		f = append(f, field{"env_vars", e.Variables})
	}
	return append(f, field{"startup_timeout_sec", 60}, field{"tool_timeout_sec", callSeconds})
}

// codexHelper: http_headers_helper is a string, run by sh -c, since Codex 0.152.
func codexHelper(e Entry) fields {
	return fields{{"url", e.URL}, {"http_headers_helper", e.Helper}}
}

func codexVariable(e Entry) fields {
	return fields{{"url", e.URL}, {"env_http_headers", fields{{"Authorization", e.Variable}}}}
}

func gooseProxy(e Entry) fields {
	return fields{
		{"enabled", true}, {"type", "stdio"}, {"name", e.Name()}, {"cmd", e.Proxy[0]}, {"args", e.Proxy[1:]},
		{"envs", fields{}}, {"env_keys", []string{}}, {"timeout", callSeconds},
	}
}

func gooseVariable(e Entry) fields {
	return fields{
		{"enabled", true}, {"type", "streamable_http"}, {"name", e.Name()}, {"uri", e.URL},
		authorization("${" + e.Variable + "}"), {"timeout", callSeconds},
	}
}
