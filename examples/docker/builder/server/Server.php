<?php

declare(strict_types=1);

/**
 * A small HTTP server: one process, one loop, one request for each connection. Enough behind a
 * proxy; it knows neither TLS nor chunked bodies, and what an application does, it waits for.
 */
final class Server
{
    private const SECONDS = 10;
    private const MOST_CONNECTIONS = 200;

    public string $fault = '';
    private mixed $socket = null;
    private bool $open = true;
    /** @var array<int, object{stream: resource, in: string, out: ?string, until: float}> */
    private array $connections = [];

    /** @param Closure(Request): Response $application */
    public function __construct(private readonly Closure $application, private readonly Files $files)
    {
    }

    public function listen(string $address): bool
    {
        $context = stream_context_create(['socket' => ['backlog' => 128]]);
        $socket = @stream_socket_server("tcp://$address", $number, $this->fault, context: $context);
        if ($socket === false) {
            return false;
        }
        stream_set_blocking($socket, false);
        $this->socket = $socket;
        return true;
    }

    /** Serves until a signal asks for the end; what has begun is then still answered. */
    public function run(): void
    {
        pcntl_async_signals(true);
        foreach ([SIGTERM, SIGINT] as $signal) {
            pcntl_signal($signal, function (): void {
                $this->open = false;
            });
        }
        while ($this->open || $this->connections !== []) {
            $this->turn();
        }
    }

    private function turn(): void
    {
        $read = $write = [];
        $except = null;
        if ($this->open && count($this->connections) < self::MOST_CONNECTIONS) {
            $read[-1] = $this->socket;
        }
        foreach ($this->connections as $key => $connection) {
            $connection->out === null ? $read[$key] = $connection->stream : $write[$key] = $connection->stream;
        }
        if ($read === [] && $write === []) {
            return;
        }
        // A signal ends the waiting early, and that is no fault.
        $ready = @stream_select($read, $write, $except, 1);
        foreach ($ready ? $read : [] as $key => $stream) {
            $key === -1 ? $this->accept() : $this->read($key);
        }
        foreach ($ready ? array_keys($write) : [] as $key) {
            $this->write($key);
        }
        $now = microtime(true);
        foreach ($this->connections as $key => $connection) {
            if ($connection->until < $now || (!$this->open && $connection->in === '')) {
                $this->end($key);
            }
        }
    }

    private function accept(): void
    {
        $stream = @stream_socket_accept($this->socket, 0);
        if ($stream !== false) {
            stream_set_blocking($stream, false);
            $until = microtime(true) + self::SECONDS;
            $this->connections[(int) $stream] = (object) ['stream' => $stream, 'in' => '', 'out' => null, 'until' => $until];
        }
    }

    private function read(int $key): void
    {
        $connection = $this->connections[$key];
        $bytes = @fread($connection->stream, 64 << 10);
        if ($bytes === false || $bytes === '') {
            if (feof($connection->stream)) {
                $this->end($key);
            }
            return;
        }
        $connection->in .= $bytes;
        $request = Request::read($connection->in);
        if ($request instanceof Request) {
            $connection->out = $this->answer($request)->bytes($request->method !== 'HEAD');
            $connection->until = microtime(true) + self::SECONDS;
        } elseif ($request instanceof Response) {
            $connection->out = $request->bytes(true);
        }
    }

    private function answer(Request $request): Response
    {
        try {
            if ($request->path === '/health') {
                return Response::text(200, "ok\n");
            }
            $file = in_array($request->method, ['GET', 'HEAD'], true) ? $this->files->find($request->path) : null;
            return $file ?? ($this->application)($request);
        } catch (Throwable $error) {
            // Visitors learn nothing about the inside; the log says everything.
            fwrite(STDERR, "notes: $request->method $request->path: $error\n");
            return Response::text(500, "something went wrong\n");
        }
    }

    private function write(int $key): void
    {
        $connection = $this->connections[$key];
        $written = @fwrite($connection->stream, $connection->out);
        $connection->out = $written === false ? '' : substr($connection->out, $written);
        if ($connection->out === '') {
            $this->end($key);
        }
    }

    private function end(int $key): void
    {
        @stream_socket_shutdown($this->connections[$key]->stream, STREAM_SHUT_WR);
        fclose($this->connections[$key]->stream);
        unset($this->connections[$key]);
    }
}
