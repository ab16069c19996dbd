<form method="post" action="/">
<label for="text">A new note</label>
<textarea id="text" name="text" rows="3" maxlength="500" required><?= $e($text) ?></textarea>
<?php if ($mistake !== null): ?>
<p role="alert"><?= $e($mistake) ?></p>
<?php endif ?>
<button>Keep</button>
</form>
<?php if ($notes === []): ?>
<p>Nothing noted yet.</p>
<?php else: ?>
<ol reversed>
<?php foreach ($notes as $note): ?>
<li><?= nl2br($e($note['text'])) ?> <time><?= $e($note['at']) ?></time></li>
<?php endforeach ?>
</ol>
<?php endif ?>
