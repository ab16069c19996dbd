<p>Version <b id="version"><?= htmlspecialchars($version) ?></b>,
    with slug <?= htmlspecialchars($packages['slug']) ?> and tick <?= htmlspecialchars($packages['tick']) ?>.</p>
<table>
<?php foreach ($counts as $table => $count) : ?>
    <tr><th><?= htmlspecialchars($table) ?></th><td><?= $count ?></td></tr>
<?php endforeach ?>
</table>
<img src="/img/board%20view%20(2024%20edition).svg" alt="A board">
