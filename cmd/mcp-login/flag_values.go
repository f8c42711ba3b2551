package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"
)

// readable says what is wrong with the value of a flag.
func readable(f cli.Flag, text string) error {
	switch f.(type) {
	case *cli.DurationFlag:
		if _, err := time.ParseDuration(text); err == nil {
			return nil
		}
		if _, err := strconv.Atoi(text); err == nil {
			return fmt.Errorf("not a duration, use %ss or %[1]sm", text)
		}
		return errors.New("not a duration, use 30s or 5m")
	case *cli.IntFlag:
		if _, err := strconv.ParseInt(text, 0, 64); err != nil {
			return errors.New("not a number, use digits such as 8080")
		}
	case *cli.BoolFlag:
		if _, err := strconv.ParseBool(text); err != nil {
			return errors.New("use true or false")
		}
	}
	return nil
}
