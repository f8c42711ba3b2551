package proxy

// isDenied answers a call of a tool that is not allowed, before anybody is asked to sign
// in for it. The tool to sign in is none of the server's.
func (b *bridge) isDenied(m message) bool {
	if m.Method != callTool || b.SignIn != nil && b.SignIn.isTool(m.Params.Name) {
		return false
	}
	denied, code, text := b.Tools.Denies(m.Params.Name)
	if denied {
		b.write(failed(m.ID, code, text))
	}
	return denied
}
