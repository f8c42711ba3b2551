package mcplogin

import (
	"errors"
	"testing"
	"time"
)

// TestLateCallerOfFresh: a caller that comes when the shared refresh has just failed gets
// its error, and does not ask the server again.
func TestLateCallerOfFresh(t *testing.T) {
	stale := Credential{}
	stale.Token.Access = "stale"
	s := &Session{failure: errors.New("the server is out"), tried: time.Now()}
	if _, err := s.replace(t.Context(), stale, false); !errors.Is(err, s.failure) {
		t.Errorf("replace() = %v", err)
	}
}
