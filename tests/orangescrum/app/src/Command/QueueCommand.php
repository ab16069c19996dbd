<?php

declare(strict_types=1);

namespace App\Command;

use App\Database\Database;
use App\Queue\Queue;

final class QueueCommand
{
    public function worker(array $arguments): int
    {
        $options = new Options($arguments, [
            'config' => 'c', 'queue' => 'Q', 'processor' => 'p', 'logger' => 'l', 'verbose!' => 'v',
            'max-jobs' => 'i', 'max-runtime' => 'r',
        ]);
        $stop = false;
        if (function_exists('pcntl_async_signals')) {
            pcntl_async_signals(true);
            foreach ([SIGTERM, SIGINT] as $signal) {
                pcntl_signal($signal, static function () use (&$stop): void {
                    $stop = true;
                });
            }
        }
        $runtime = (int)$options->get('max-runtime', '0');
        $jobs = (int)$options->get('max-jobs', '0');
        $end = $runtime > 0 ? time() + $runtime : PHP_INT_MAX;
        $queue = Queue::fromSettings();
        $name = gethostname() . ':' . getmypid();
        $done = 0;
        echo "worker $name waits for jobs\n";
        while (!$stop && time() < $end && ($jobs === 0 || $done < $jobs)) {
            $job = $queue->take(1);
            if ($job === null) {
                continue;
            }
            usleep((int)((float)env('TEST_JOB_PAUSE', '0') * 1_000_000));
            Database::open()->execute('INSERT INTO jobs_done (text, worker) VALUES (?, ?)', [$job['text'], $name]);
            $queue->finish($job);
            $done++;
            echo "did {$job['text']}\n";
        }
        echo "worker $name ends after $done jobs\n";

        return 0;
    }
}
