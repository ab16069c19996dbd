<?php

declare(strict_types=1);

namespace Osv4;

/**
 * One start at a time changes the database. The lock belongs to this session: whatever happens to
 * this process, the server takes it away with the session.
 */
final class Lock
{
    private const KEY = "hashtext('osv4:migrate')";
    /** What sessions of steps are called, so that one that outlived its start is known. */
    public const STEP = 'orangescrum migration step';

    public function __construct(private Database $database, private Settings $settings, private Say $say)
    {
    }

    public static function application(): string
    {
        // The server keeps 63 bytes.
        return substr('orangescrum start, ' . gethostname() . ' ' . getmypid(), 0, 63);
    }

    public function take(): void
    {
        $this->until(
            fn (): bool => $this->database->holds('pg_try_advisory_lock(' . self::KEY . ')'),
            fn (): string => 'another start migrates the database: ' . $this->holder(),
        );
        // A start that was killed leaves its step running: it ends by itself, one way or the other.
        $this->until(
            fn (): bool => $this->leftover() === null,
            fn (): string => 'a step of a start that was killed still runs: ' . $this->leftover(),
        );
    }

    public function release(): void
    {
        $this->database->value('SELECT pg_advisory_unlock(' . self::KEY . ')');
    }

    private function until(callable $done, callable $why): void
    {
        $began = hrtime(true);
        $told = null;
        while (!$done()) {
            $spent = (hrtime(true) - $began) / 1e9;
            if ($spent >= $this->settings->lockWait) {
                throw Failure::step(sprintf('waited %d s (MIGRATION_LOCK_TIMEOUT); %s. Start again when it is done, or end that session', $this->settings->lockWait, $why()));
            }
            if ($told === null || $spent - $told >= 10) {
                $this->say->log(sprintf('waiting, %d of %d s: %s', $spent, $this->settings->lockWait, $why()));
                $told = $spent;
            }
            usleep(500_000);
        }
    }

    private function holder(): string
    {
        return self::describe($this->database->rows(
            'SELECT a.pid, a.usename, a.application_name, a.client_addr::text AS client_addr, a.backend_start::text AS backend_start'
            . ' FROM pg_locks l JOIN pg_stat_activity a USING (pid)'
            . " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            . ' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())'
            . ' AND ((l.classid::bigint << 32) | l.objid::bigint) = ' . self::KEY . '::bigint',
        )) ?? 'it ended just now';
    }

    private function leftover(): ?string
    {
        return self::describe($this->database->rows(
            'SELECT pid, usename, application_name, client_addr::text AS client_addr, backend_start::text AS backend_start'
            . ' FROM pg_stat_activity WHERE datname = current_database() AND application_name = ?',
            [self::STEP],
        ));
    }

    /** @param list<array<string, mixed>> $sessions */
    private static function describe(array $sessions): ?string
    {
        if ($sessions === []) {
            return null;
        }
        $one = $sessions[0];

        return sprintf(
            'session %s of `%s`%s from %s, since %s',
            $one['pid'],
            $one['usename'] ?? '?',
            ($one['application_name'] ?? '') === '' ? '' : " ({$one['application_name']})",
            $one['client_addr'] ?? 'the server itself',
            $one['backend_start'] ?? '?',
        );
    }
}
