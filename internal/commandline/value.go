package commandline

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// CheckDuration returns an error unless a value is a valid duration.
func CheckDuration(text string) error {
	d, err := time.ParseDuration(text)
	switch {
	case err == nil && d < 0:
		return errors.New("a duration cannot be negative; use 30s or 5m")
	case err == nil:
		return nil
	}
	if _, err := strconv.Atoi(text); err == nil {
		return fmt.Errorf("not a duration; use %ss or %[1]sm", text)
	}
	return errors.New("not a duration; use 30s or 5m")
}

// CheckNumber returns an error unless a value is a valid number.
func CheckNumber(text string) error {
	if _, err := ParseNumber(text); err != nil {
		return errors.New("not a number; use digits, such as 8080")
	}
	return nil
}

// ParseNumber returns the number that a text is: decimal, or with a prefix such as 0x.
func ParseNumber(text string) (int, error) {
	n, err := strconv.ParseInt(text, 0, strconv.IntSize)
	return int(n), err
}

// CheckBool returns an error unless a value is a valid boolean.
func CheckBool(text string) error {
	if _, err := strconv.ParseBool(text); err != nil {
		return errors.New("use true or false")
	}
	return nil
}

// CheckText accepts every value.
func CheckText(string) error { return nil }
