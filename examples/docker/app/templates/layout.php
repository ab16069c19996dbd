<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title><?= $e($site['title']) ?></title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<h1><?= $e($site['title']) ?></h1>
<nav>
<?php foreach (['notes' => '/', 'about' => '/about'] as $name => $path): ?>
<a href="<?= $e($path) ?>"<?= $name === $here ? ' aria-current="page"' : '' ?>><?= $e($name) ?></a>
<?php endforeach ?>
</nav>
</header>
<main>
<?= $content ?>
</main>
</body>
</html>
