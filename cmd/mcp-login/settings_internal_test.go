package main

import (
	"slices"
	"testing"
	"time"
)

// TestSetFlag: a variable gets the last text of its flag, or the default.
func TestSetFlag(t *testing.T) {
	var (
		text     string
		yes      bool
		duration time.Duration
		number   int
		all      = list{"default"}
	)
	set := func(texts ...[]string) (err error) {
		for i, f := range append(grouped("", stringFlag("s", "", "default", &text), boolFlag("b", "", &yes),
			durationFlag("d", "", time.Minute, &duration), intFlag("i", "", 7, &number)), listFlag("l", "", &all)) {
			if err == nil && i < len(texts) {
				err = setFlag(f, texts[i])
			}
		}
		return err
	}
	text, yes, duration, number = "before", true, time.Hour, 9
	if err := set(nil, nil, nil, nil, nil); err != nil || text != "default" || yes || duration != time.Minute || number != 7 || !slices.Equal(all, list{"default"}) {
		t.Errorf("defaults: %q %t %s %d %q, %v", text, yes, duration, number, all, err)
	}
	err := set([]string{"a", "b"}, []string{"true"}, []string{"1h30m"}, []string{"0x10"}, []string{"a,b", "c"})
	if err != nil || text != "b" || !yes || duration != 90*time.Minute || number != 16 || !slices.Equal(all, list{"a,b", "c"}) {
		t.Errorf("texts: %q %t %s %d %q, %v", text, yes, duration, number, all, err)
	}
	for i, bad := range [][]string{1: {"si"}, 2: {"5"}, 3: {"99999999999999999999"}} {
		if bad == nil {
			continue
		}
		if err := set(append(make([][]string, i), bad)...); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
