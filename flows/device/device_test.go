package device_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

const s = time.Second

// recordingPrompt is a prompt with a user.
type recordingPrompt struct {
	act func(c device.Code) // called when a code is shown; nil: nothing

	mu    sync.Mutex
	codes []device.Code
	polls []device.Status
	shown context.Context // of the last code
}

func (p *recordingPrompt) ShowCode(ctx context.Context, c device.Code) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes = append(p.codes, c)
	p.shown = ctx
	if p.act != nil {
		p.act(c)
	}
}

func (p *recordingPrompt) ShowPoll(_ context.Context, poll device.Poll) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.polls = append(p.polls, poll.Status)
}

// request returns a Request of a client at srv, through the transport.
func request(t *testing.T, srv *oauthtest.Server, transport http.RoundTripper) flows.Request {
	t.Helper()
	srv.Clients.Known = map[string]string{"cli": ""}
	server, err := oauth.FetchServer(t.Context(), srv.Client(), "https://as.test")
	if err != nil {
		t.Fatal(err)
	}
	return flows.Request{
		Client: &oauth.Client{HTTP: &http.Client{Transport: transport}, Server: server, App: oauth.App{ID: "cli"}},
		Server: "https://mcp.test/mcp", Resource: "https://mcp.test/mcp",
	}
}

// run runs the flow. It returns when polls arrived and when it ended, in virtual
// time since its start.
func run(t *testing.T, srv *oauthtest.Server, f *device.Flow) (polls []time.Duration, end time.Duration, err error) {
	t.Helper()
	r := request(t, srv, srv)
	start := time.Now()
	token, err := f.Run(t.Context(), r)
	if (err == nil) != (token.Access != "") {
		t.Errorf("token %v with error %v", token, err)
	}
	for _, at := range srv.Polls() {
		polls = append(polls, at.Sub(start))
	}
	return polls, time.Since(start), err
}

// approveAfter approves a code the duration d after it was shown.
func approveAfter(srv *oauthtest.Server, d time.Duration) func(device.Code) {
	return func(c device.Code) { time.AfterFunc(d, func() { srv.ApproveDevice(c.UserCode) }) }
}

func wantPolls(t *testing.T, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("polls at %v, want %v", got, want)
	}
}

func TestPollsAtTheInterval(t *testing.T) {
	for _, tt := range []struct {
		name   string
		device oauthtest.Device
		want   []time.Duration
	}{
		{"5 s", oauthtest.Device{AutoApprove: 3}, []time.Duration{5 * s, 10 * s, 15 * s}},
		{"7 s", oauthtest.Device{AutoApprove: 3, Interval: 7 * s}, []time.Duration{7 * s, 14 * s, 21 * s}},
		{"missing means 5 s", oauthtest.Device{AutoApprove: 2, NoInterval: true}, []time.Duration{5 * s, 10 * s}},
		// The first slow_down permanently adds 5 s and a fifth; the second makes
		// that two fifths.
		{"slow_down", oauthtest.Device{AutoApprove: 4, SlowDowns: 1}, []time.Duration{5 * s, 17 * s, 29 * s, 41 * s}},
		{"slow_down twice", oauthtest.Device{AutoApprove: 4, SlowDowns: 2}, []time.Duration{5 * s, 17 * s, 38 * s, 59 * s}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				polls, _, err := run(t, &oauthtest.Server{Device: tt.device}, &device.Flow{Prompt: &recordingPrompt{}})
				if err != nil {
					t.Fatal(err)
				}
				wantPolls(t, polls, tt.want...)
			})
		})
	}
}

// TestIntervalCountsFromTheAnswer: a slow response delays the next poll: the server
// sees the whole interval.
func TestIntervalCountsFromTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 3}}
		srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 3 * s})
		polls, end, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}})
		if err != nil || end != 18*s {
			t.Errorf("ended at %v with %v, want 18s", end, err)
		}
		for i, at := range polls[1:] {
			if gap := at - polls[i]; gap < 5*s {
				t.Errorf("poll interval %v, want at least 5s", gap)
			}
		}
	})
}

func TestBacksOffWhenUnreachable(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault oauthtest.Fault
		end   time.Duration
	}{
		{"connection broken", oauthtest.Fault{Times: 3, Drop: true}, (5 + 10 + 20 + 40) * s},
		{"503", oauthtest.Fault{Times: 2, Status: 503}, (5 + 10 + 20) * s},
		{"at most a minute", oauthtest.Fault{Times: 5, Drop: true}, (5 + 10 + 20 + 40 + 60 + 60) * s},
		{"Retry-After", oauthtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"33"}}}, (5 + 33) * s},
		{"short Retry-After", oauthtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"1"}}}, (5 + 10) * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
				srv.Fault(oauthtest.Token, tt.fault)
				p := &recordingPrompt{}
				_, end, err := run(t, srv, &device.Flow{Prompt: p})
				if err != nil || end != tt.end {
					t.Errorf("ended at %v with %v, want %v", end, err, tt.end)
				}
				if p.polls[0] != device.Unreachable || p.polls[len(p.polls)-1] != device.Approved {
					t.Errorf("the user saw %v", p.polls)
				}
			})
		})
	}
}

// TestOutageUntilExpiry: after an outage the interval is the original one again.
// During a long outage there is a last poll before the code expires.
func TestOutageUntilExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Device: oauthtest.Device{ExpiresIn: 60 * s}}
		srv.Fault(oauthtest.Token, oauthtest.Fault{Times: -1, Drop: true})
		_, end, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}})
		if !errors.Is(err, flows.ErrExpired) || end != 60*s {
			t.Errorf("ended at %v with %v, want expiry at 60s", end, err)
		}
		// After 5, 15, 35, then 55 s instead of 75 s.
		if n := srv.Count(oauthtest.Token); n != 4 {
			t.Errorf("%d tries, want 4", n)
		}
	})
}

// TestErrorsInARowEndThePolling: a server that responds only with errors is
// reported before the code expires.
func TestErrorsInARowEndThePolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{}
		srv.Fault(oauthtest.Token, oauthtest.Fault{Times: -1, Status: 500})
		_, end, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}})
		if !oauth.Temporary(err) || errors.Is(err, flows.ErrExpired) || end > 10*time.Minute {
			t.Errorf("ended at %v with %v, want the server's 500", end, err)
		}
	})
}

// TestRejectedClientFallsBack: if the server does not allow the client to
// use the device flow, the next flow runs, and the error does not say that the
// server has no device flow.
func TestRejectedClientFallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{}
		srv.Fault(oauthtest.DeviceAuth, oauthtest.Fault{Status: 400, Body: `{"error":"unauthorized_client","error_description":"ask the admin"}`})
		_, _, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}})
		if !errors.Is(err, flows.ErrUnsupported) || !strings.Contains(err.Error(), "ask the admin") || strings.Contains(err.Error(), "not supported") {
			t.Errorf("error = %v", err)
		}
	})
}

func TestResults(t *testing.T) {
	t.Run("approved", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := &oauthtest.Server{}
			p := &recordingPrompt{act: approveAfter(srv, 12*s)}
			_, end, err := run(t, srv, &device.Flow{Prompt: p})
			if err != nil || end != 15*s {
				t.Errorf("ended at %v with %v, want 15s", end, err)
			}
			if want := []device.Status{device.Pending, device.Pending, device.Approved}; !slices.Equal(p.polls, want) {
				t.Errorf("the user saw %v, want %v", p.polls, want)
			}
			if p.shown.Err() == nil {
				t.Error("the code's context outlives the polling")
			}
		})
	})
	t.Run("denied", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := &oauthtest.Server{}
			p := &recordingPrompt{act: func(c device.Code) { srv.DenyDevice(c.UserCode) }}
			_, end, err := run(t, srv, &device.Flow{Prompt: p, Retry: func(context.Context) bool { return true }})
			if !errors.Is(err, flows.ErrDenied) || end != 5*s || !slices.Equal(p.polls, []device.Status{device.Denied}) {
				t.Errorf("ended at %v with %v, the user saw %v", end, err, p.polls)
			}
		})
	})
	t.Run("expired", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := &oauthtest.Server{Device: oauthtest.Device{ExpiresIn: 12 * s}}
			polls, end, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}})
			if !errors.Is(err, flows.ErrExpired) || end != 12*s {
				t.Errorf("ended at %v with %v, want expiry at 12s", end, err)
			}
			wantPolls(t, polls, 5*s, 10*s)
		})
	})
}

func TestExpiredCodeIsReplacedIfRetryAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Device: oauthtest.Device{ExpiresIn: 12 * s}}
		p := &recordingPrompt{}
		prompts := 0
		retry := func(context.Context) bool { prompts++; p.act = approveAfter(srv, s); return true }
		_, end, err := run(t, srv, &device.Flow{Prompt: p, Retry: retry})
		if err != nil || end != 17*s || prompts != 1 || len(p.codes) != 2 {
			t.Fatalf("ended at %v with %v after %d prompts and %d codes", end, err, prompts, len(p.codes))
		}
		if p.codes[0].UserCode == p.codes[1].UserCode {
			t.Error("the second code is the first")
		}
	})
}

// TestCodesThatExpireAtOnce: if codes expire immediately, new ones are requested
// only after a pause.
func TestCodesThatExpireAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{}
		srv.Fault(oauthtest.DeviceAuth, oauthtest.Fault{Times: -1, Status: 200, Body: `{"device_code":"d","user_code":"u","verification_uri":"https://mcp.test/device","expires_in":0.001}`})
		start := time.Now()
		retry := func(context.Context) bool { return time.Since(start) < time.Minute }
		if _, _, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}, Retry: retry}); !errors.Is(err, flows.ErrExpired) {
			t.Errorf("Run() = %v, want ErrExpired", err)
		}
		if n := srv.Count(oauthtest.DeviceAuth); n > 15 {
			t.Errorf("%d codes in a minute", n)
		}
	})
}

func TestCancelEndsAtOnce(t *testing.T) {
	for _, after := range []time.Duration{3 * s, 5*s + s/2} { // between polls, and during one
		synctest.Test(t, func(t *testing.T) {
			srv := &oauthtest.Server{}
			srv.Fault(oauthtest.Token, oauthtest.Fault{Hang: true})
			r := request(t, srv, srv)
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			p := &recordingPrompt{}
			start := time.Now()
			_, err := (&device.Flow{Prompt: p}).Run(ctx, r)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != after {
				t.Errorf("ended after %v with %v, want %v", time.Since(start), err, after)
			}
			if p.polls[len(p.polls)-1] != device.Cancelled {
				t.Errorf("the user saw %v", p.polls)
			}
		})
	}
}

// TestCodeEndsWithTheWait: the prompt's deadline is the end of the code or of the
// wait, whichever is first.
func TestCodeEndsWithTheWait(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{90 * s: 90 * s, time.Hour: 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			srv := &oauthtest.Server{Device: oauthtest.Device{ExpiresIn: 10 * time.Minute}}
			r := request(t, srv, srv)
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			start, p := time.Now(), &recordingPrompt{}
			_, err := (&device.Flow{Prompt: p}).Run(ctx, r)
			if err == nil || len(p.codes) == 0 || p.codes[0].Expiry.Sub(start) != want || time.Since(start) < want {
				t.Errorf("with %v: %+v, ended after %v with %v", wait, p.codes, time.Since(start), err)
			}
		})
	}
}

func TestUnsupportedFallsBack(t *testing.T) {
	errorBody := func(code string) string { return `{"error":"` + code + `"}` }
	for _, tt := range []struct {
		name  string
		at    oauthtest.Endpoint
		fault oauthtest.Fault
	}{
		{"unauthorized_client", oauthtest.DeviceAuth, oauthtest.Fault{Status: 400, Body: errorBody("unauthorized_client")}},
		{"unsupported_grant_type", oauthtest.DeviceAuth, oauthtest.Fault{Status: 400, Body: errorBody("unsupported_grant_type")}},
		{"404", oauthtest.DeviceAuth, oauthtest.Fault{Status: 404}},
		{"at the first poll", oauthtest.Token, oauthtest.Fault{Status: 400, Body: errorBody("unsupported_grant_type")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := &oauthtest.Server{}
				srv.Fault(tt.at, tt.fault)
				if _, _, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}}); !errors.Is(err, flows.ErrUnsupported) {
					t.Errorf("Run = %v, want ErrUnsupported", err)
				}
			})
		})
	}
	if err := (&device.Flow{}).Check(oauth.Server{}); !errors.Is(err, flows.ErrUnsupported) {
		t.Errorf("Check without an endpoint = %v, want ErrUnsupported", err)
	}
}

func TestOtherErrorsEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{}
		srv.Fault(oauthtest.Token, oauthtest.Fault{Status: 400, Body: `{"error":"invalid_grant"}`})
		_, end, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}})
		if !oauth.IsCode(err, oauth.CodeInvalidGrant) || end != 5*s {
			t.Errorf("ended at %v with %v, want invalid_grant at 5s", end, err)
		}
	})
}

func TestPendingWithUnusualStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
		for _, status := range []int{401, 428, 500} {
			srv.Fault(oauthtest.Token, oauthtest.Fault{Status: status, Body: `{"error":"authorization_pending"}`})
		}
		if _, end, err := run(t, srv, &device.Flow{Prompt: &recordingPrompt{}}); err != nil || end != 20*s {
			t.Errorf("ended at %v with %v, want 20s", end, err)
		}
	})
}

// slowClockServer has a slower clock than the client, whose clock is too fast. It
// measures the intervals by its own clock, adds 5 s with each slow_down like the
// client, and so rejects every poll that is too early.
type slowClockServer struct {
	*oauthtest.Server
	rate      float64 // server seconds per client second
	last      time.Time
	interval  time.Duration
	slowDowns int
}

func (f *slowClockServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/device_authorization") || !strings.Contains(r.URL.Path, "token") {
		f.last = time.Now()
		return f.Server.RoundTrip(r)
	}
	waited := time.Duration(float64(time.Since(f.last)) * f.rate)
	f.last = time.Now()
	if waited < f.interval {
		f.interval += 5 * s
		f.slowDowns++
		f.Fault(oauthtest.Token, oauthtest.Fault{Status: 400, Body: `{"error":"slow_down"}`})
	}
	return f.Server.RoundTrip(r)
}

func TestFastClockAdapts(t *testing.T) {
	for _, tt := range []struct {
		name      string
		rate      float64
		slowDowns int
	}{
		{"exact", 1, 0}, {"7% fast", 0.93, 1}, {"10% fast", 0.9, 1}, {"25% fast", 0.75, 2}, {"100% fast", 0.5, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &slowClockServer{Server: &oauthtest.Server{}, rate: tt.rate, interval: 5 * s}
				r := request(t, f.Server, f)
				p := &recordingPrompt{act: approveAfter(f.Server, 14*time.Minute)}
				if _, err := (&device.Flow{Prompt: p}).Run(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				if f.slowDowns != tt.slowDowns {
					t.Errorf("%d slow_downs in 14 minutes, want %d", f.slowDowns, tt.slowDowns)
				}
			})
		})
	}
}

func TestCodeNamesTheClientAndHidesTheSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
		p := &recordingPrompt{}
		if _, _, err := run(t, srv, &device.Flow{Prompt: p, ClientName: "mcp-login"}); err != nil {
			t.Fatal(err)
		}
		c := p.codes[0]
		if c.Client != "mcp-login" || c.Issuer != "https://as.test" || c.Server != "https://mcp.test/mcp" {
			t.Errorf("the code has %q, %q, %q", c.Client, c.Issuer, c.Server)
		}
		if c.Interval != 5*s || time.Until(c.Expiry) != 15*time.Minute-5*s {
			t.Errorf("the code expires at %v, interval %v", c.Expiry, c.Interval)
		}
	})
}

func TestMetadata(t *testing.T) {
	m, err := (&device.Flow{}).Metadata()
	if err != nil || !slices.Equal(m.GrantTypes, []string{oauth.GrantDeviceCode, "refresh_token"}) {
		t.Errorf("grant types %v, %v", m.GrantTypes, err)
	}
	if len(m.RedirectURIs)+len(m.ResponseTypes) != 0 {
		t.Errorf("the metadata requires redirects: %+v", m)
	}
}
