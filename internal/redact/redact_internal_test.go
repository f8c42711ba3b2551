package redact

import "testing"

// TestSecretsAreHiddenOnce: an agent registers the same secrets again and again.
func TestSecretsAreHiddenOnce(t *testing.T) {
	var r Redactor
	for range 1000 {
		r.Hide("s3cret-one", "s3cret-two")
	}
	if len(r.values) != 2 {
		t.Errorf("%d values are kept", len(r.values))
	}
}
