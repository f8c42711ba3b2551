package oauth

import (
	"net/netip"
	"testing"
)

// TestReachOf is a white-box test: from outside, the public addresses could be
// tested only by connecting to them.
func TestReachOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		addr string
		want addrClass
	}{
		{"8.8.8.8", public}, {"2606:4700::1111", public}, {"172.15.0.1", public}, {"172.32.0.1", public}, {"100.63.255.255", public},
		{"100.128.0.1", public}, {"::ffff:8.8.8.8", public}, {"64:ff9b::8.8.8.8", public}, {"2002:808:808::1", public},
		{"10.0.0.1", local}, {"172.16.0.1", local}, {"172.31.255.255", local}, {"192.168.0.1", local}, {"127.0.0.1", local},
		{"127.255.255.254", local}, {"::1", local}, {"fc00::1", local}, {"fdff::1", local}, {"100.64.0.1", local}, {"fec0::1", local},
		{"::ffff:10.0.0.1", local}, {"::ffff:127.0.0.1", local}, {"64:ff9b::10.0.0.1", local}, {"64:ff9b:1::1", local},
		{"2002:a00:1::", local}, {"::10.0.0.1", local}, {"fd00:abcd::1", local},
		{"0.0.0.0", forbidden}, {"0.1.2.3", forbidden}, {"::", forbidden}, {"169.254.169.254", forbidden}, {"fe80::1", forbidden}, {"fe80::1%eth0", forbidden},
		{"224.0.0.1", forbidden}, {"ff02::1", forbidden}, {"240.0.0.1", forbidden}, {"255.255.255.255", forbidden}, {"192.0.0.192", forbidden},
		{"::ffff:169.254.169.254", forbidden}, {"64:ff9b::169.254.169.254", forbidden}, {"2002:a9fe:a9fe::", forbidden}, {"::169.254.169.254", forbidden},
		{"fd00:ec2::254", forbidden}, {"100.100.100.200", forbidden}, {"2001::1", forbidden},
	} {
		if got := classOf(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("reachOf(%s) = %v, want %v", tt.addr, got, tt.want)
		}
	}
	if got := classOf(netip.Addr{}); got != forbidden {
		t.Errorf("reachOf(zero) = %v, want never", got)
	}
}
