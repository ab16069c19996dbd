<?php

declare(strict_types=1);

namespace Osv4;

/** Runs commands of the application as processes of their own, and passes on what they print. */
final class Cake
{
    public function __construct(private Settings $settings, private Say $say)
    {
    }

    /**
     * @param list<string> $arguments
     * @return string|null what it printed, or null if it failed
     */
    public function run(array $arguments, bool $show = true): ?string
    {
        $environment = ['PGAPPNAME' => Lock::STEP] + $this->settings->childEnvironment();
        // PHP_BINARY is empty in the binary, which is why its own path is handed in.
        $process = proc_open(
            [$this->settings->binary, 'php-cli', 'bin/cake.php', ...$arguments],
            [['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]],
            $pipes,
            $this->settings->app,
            $environment,
        );
        if ($process === false) {
            throw Failure::step("`{$this->settings->binary}` could not be started");
        }
        $this->onSignal(static fn () => proc_terminate($process));
        $printed = '';
        while (!feof($pipes[1])) {
            // Waits in short pieces, between which a signal is seen.
            $ready = [$pipes[1]];
            $none = null;
            if (@stream_select($ready, $none, $none, 1) !== 1 || ($line = fgets($pipes[1])) === false) {
                continue;
            }
            $printed .= $line;
            if ($show && trim($line) !== '') {
                $this->say->output($line);
            }
        }
        fclose($pipes[1]);
        $code = proc_close($process);
        $this->onSignal(null);

        return $code === 0 ? $printed : null;
    }

    /** Told to end, this takes its step along: a transaction that is not committed is taken back. */
    private function onSignal(?\Closure $stop): void
    {
        if (!function_exists('pcntl_signal')) {
            return;
        }
        pcntl_async_signals(true);
        foreach ([SIGTERM, SIGINT] as $signal) {
            pcntl_signal($signal, $stop === null ? SIG_DFL : function () use ($stop, $signal): void {
                $stop();
                $this->say->log('told to end: the step is broken off, and the next start goes on from there');
                exit(128 + $signal);
            });
        }
    }

    /** After migrations: what was remembered of tables as they were. */
    public function tidy(): void
    {
        if ($this->run(['cache', 'clear_all'], show: false) === null) {
            $this->say->log('caches could not be cleared (is the cache server up?); they expire by themselves');
        }
    }
}
