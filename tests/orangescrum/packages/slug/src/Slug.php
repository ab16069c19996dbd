<?php

declare(strict_types=1);

namespace Osv4Test\Slug;

final class Slug
{
    public const VERSION = '@VERSION@';

    public static function of(string $title): string
    {
        $words = preg_split('/[^\p{L}\p{N}]+/u', mb_strtolower($title), -1, PREG_SPLIT_NO_EMPTY);

        return implode('-', $words ?: []);
    }
}
