// Loaded before the SDK's example, which would listen on every address of the
// machine: it then listens on 127.0.0.1 alone. E2E_PORT takes the place of a port that
// the example has chosen.
import net from 'node:net';

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function listenHere(port, ...rest) {
  return listen.call(this, Number(process.env.E2E_PORT ?? port), '127.0.0.1', ...rest);
};
