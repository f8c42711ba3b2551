package oauth

import (
	"net/netip"
	"testing"
)

// Here inside the package: the public addresses among these could be tested
// from outside only by calling them.
func TestReachOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		addr string
		want reach
	}{
		{"8.8.8.8", public}, {"2606:4700::1111", public}, {"172.15.0.1", public}, {"172.32.0.1", public}, {"100.63.255.255", public},
		{"100.128.0.1", public}, {"::ffff:8.8.8.8", public}, {"64:ff9b::8.8.8.8", public}, {"2002:808:808::1", public},
		{"10.0.0.1", local}, {"172.16.0.1", local}, {"172.31.255.255", local}, {"192.168.0.1", local}, {"127.0.0.1", local},
		{"127.255.255.254", local}, {"::1", local}, {"fc00::1", local}, {"fdff::1", local}, {"100.64.0.1", local}, {"fec0::1", local},
		{"::ffff:10.0.0.1", local}, {"::ffff:127.0.0.1", local}, {"64:ff9b::10.0.0.1", local}, {"64:ff9b:1::1", local},
		{"2002:a00:1::", local}, {"::10.0.0.1", local}, {"fd00:abcd::1", local},
		{"0.0.0.0", never}, {"0.1.2.3", never}, {"::", never}, {"169.254.169.254", never}, {"fe80::1", never}, {"fe80::1%eth0", never},
		{"224.0.0.1", never}, {"ff02::1", never}, {"240.0.0.1", never}, {"255.255.255.255", never}, {"192.0.0.192", never},
		{"::ffff:169.254.169.254", never}, {"64:ff9b::169.254.169.254", never}, {"2002:a9fe:a9fe::", never}, {"::169.254.169.254", never},
		{"fd00:ec2::254", never}, {"100.100.100.200", never}, {"2001::1", never},
	} {
		if got := reachOf(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("reachOf(%s) = %v, want %v", tt.addr, got, tt.want)
		}
	}
	if got := reachOf(netip.Addr{}); got != never {
		t.Errorf("reachOf(zero) = %v, want never", got)
	}
}
