package mcplogin

import (
	"errors"
	"testing"
	"time"
)

// TestLateCallerOfFresh: a caller that arrives just after the shared refresh failed
// gets its error, without another request.
func TestLateCallerOfFresh(t *testing.T) {
	stale := Credential{}
	stale.Token.Access = "stale"
	s := &Session{failure: errors.New("the server is out"), tried: time.Now()}
	if _, err := s.replace(t.Context(), stale, false); !errors.Is(err, s.failure) {
		t.Errorf("replace() = %v", err)
	}
}
