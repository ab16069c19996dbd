<?php

/*
 * Payments through Stripe. Without keys there are none. Test keys begin with pk_test_ and sk_test_.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};

return [
    'Stripe' => [
        'publishable_key' => $env('STRIPE_PUBLISHABLE_KEY'),
        'secret_key' => $env('STRIPE_SECRET_KEY'),
        // What each call of the webhook is signed with; begins with whsec_.
        'webhook_secret' => $env('STRIPE_WEBHOOK_SECRET'),
        'currency' => strtolower($env('STRIPE_CURRENCY', 'usd')),
        // Products of several installations in one account are told apart by it.
        'product_prefix' => $env('STRIPE_PRODUCT_PREFIX', 'cloud_v3_'),
    ],
];
