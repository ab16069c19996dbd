<?php

declare(strict_types=1);

namespace Osv4Test\Tick;

use DateTimeImmutable;
use DateTimeZone;

final class Tick
{
    public const VERSION = '@VERSION@';

    /** The beginning of the half hour around $moment, in UTC. */
    public static function of(DateTimeImmutable $moment): string
    {
        $utc = $moment->setTimezone(new DateTimeZone('UTC'));

        return $utc->format('Y-m-d H:') . ((int)$utc->format('i') < 30 ? '00' : '30') . ':00';
    }
}
