// Makes an example of the SDK listen only on 127.0.0.1 instead of on all addresses.
// Load it before the example. E2E_PORT overrides the example's port.
import net from 'node:net';

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  return listen.call(this, Number(process.env.E2E_PORT ?? port), '127.0.0.1', ...rest);
};
