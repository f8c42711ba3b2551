package oauth

import "net/netip"

// addrClass is the kind of network that an IP address belongs to.
type addrClass int

const (
	public    addrClass = iota
	local               // private, shared or loopback: allowed if the MCP server has such an address too
	forbidden           // link-local, multicast, unspecified, reserved
)

// IP ranges that netip has no method for.
var (
	sharedSpace   = netip.MustParsePrefix("100.64.0.0/10")      // RFC 6598, carrier-grade NAT
	thisNetwork   = netip.MustParsePrefix("0.0.0.0/8")          // RFC 1122 §3.2.1.3
	protocolSpace = netip.MustParsePrefix("192.0.0.0/24")       // RFC 6890
	reservedSpace = netip.MustParsePrefix("240.0.0.0/4")        // RFC 1112, with broadcast
	siteLocal     = netip.MustParsePrefix("fec0::/10")          // RFC 3879
	teredo        = netip.MustParsePrefix("2001::/32")          // RFC 4380
	nat64         = netip.MustParsePrefix("64:ff9b::/96")       // RFC 6052
	nat64Local    = netip.MustParsePrefix("64:ff9b:1::/48")     // RFC 8215
	sixToFour     = netip.MustParsePrefix("2002::/16")          // RFC 3056
	v4Compatible  = netip.MustParsePrefix("::/96")              // RFC 4291 §2.5.5.1
	awsMetadata6  = netip.MustParsePrefix("fd00:ec2::/32")      // instance metadata inside fc00::/7
	alibabaMeta   = netip.MustParsePrefix("100.100.100.200/32") // instance metadata inside 100.64/10
)

// classOf classifies an address. An IPv6 address that embeds an IPv4 address is
// classified by the latter: a translator or tunnel would connect to it.
func classOf(ip netip.Addr) addrClass {
	ip = ip.Unmap().WithZone("")
	switch {
	case !ip.IsValid(), ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast(),
		thisNetwork.Contains(ip), protocolSpace.Contains(ip), reservedSpace.Contains(ip), teredo.Contains(ip),
		awsMetadata6.Contains(ip), alibabaMeta.Contains(ip):
		return forbidden
	case ip.IsLoopback(), ip.IsPrivate(), sharedSpace.Contains(ip), siteLocal.Contains(ip), nat64Local.Contains(ip):
		return local
	case nat64.Contains(ip), v4Compatible.Contains(ip):
		b := ip.As16()
		return classOf(netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFour.Contains(ip):
		b := ip.As16()
		return classOf(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return public
}
