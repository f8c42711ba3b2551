package oauthtest

import "testing"

// TestVectorProof: the proof of RFC 9449 §4.1, whose key has the thumbprint of
// §6.1, tests the checks of client proofs against the standard.
func TestVectorProof(t *testing.T) {
	t.Parallel()
	const proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik" +
		"VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE" +
		"QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj" +
		"oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia" +
		"WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg" +
		"4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	j, err := readJWT(proof)
	if err != nil {
		t.Fatal(err)
	}
	key, err := j.header.JWK.public()
	if err != nil || !j.verify(key) {
		t.Errorf("the proof does not verify: %v", err)
	}
	if got := j.header.JWK.thumbprint(); got != "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" {
		t.Errorf("thumbprint = %s", got)
	}
	if j.claims.Method != "POST" || j.claims.URL != "https://server.example.com/token" || j.claims.IssuedAt != 1562262616 {
		t.Errorf("claims = %+v", j.claims)
	}
	j.signature[0] ^= 1
	if j.verify(key) {
		t.Error("a changed signature verifies")
	}
}
