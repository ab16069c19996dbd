<?php

declare(strict_types=1);

use App\Database\Migration;

final class CreateNotes extends Migration
{
    public function up(): void
    {
        $this->execute('CREATE TABLE notes_colours (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name varchar(40) NOT NULL UNIQUE
        )');
        $this->execute('CREATE TABLE notes (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            task_id bigint REFERENCES tasks (id),
            colour_id integer NOT NULL REFERENCES notes_colours (id),
            body text NOT NULL
        )');
    }
}
