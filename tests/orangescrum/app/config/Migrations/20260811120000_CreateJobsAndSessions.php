<?php

declare(strict_types=1);

use App\Database\Migration;

final class CreateJobsAndSessions extends Migration
{
    public function up(): void
    {
        $this->execute('CREATE TABLE jobs_done (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            text varchar(250) NOT NULL,
            worker varchar(80) NOT NULL,
            done timestamptz NOT NULL DEFAULT now()
        )');
        $this->execute('CREATE TABLE sessions (
            id varchar(128) PRIMARY KEY,
            data text NOT NULL,
            expires bigint NOT NULL
        )');
    }
}
