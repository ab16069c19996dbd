<?php

declare(strict_types=1);

use App\Database\Migration;

final class InitialBaseline extends Migration
{
    public function up(): void
    {
        $this->execute('CREATE TABLE actions (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name varchar(80) NOT NULL UNIQUE,
            label varchar(160) NOT NULL
        )');
        $this->execute('CREATE TABLE types (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            short_name varchar(8) NOT NULL UNIQUE,
            name varchar(80) NOT NULL,
            seq_order integer NOT NULL DEFAULT 0
        )');
        $this->execute('CREATE TABLE roles (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name varchar(80) NOT NULL UNIQUE
        )');
        $this->execute('CREATE TABLE role_actions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            role_id bigint NOT NULL REFERENCES roles (id),
            action_id integer NOT NULL REFERENCES actions (id),
            allowed boolean NOT NULL DEFAULT true,
            UNIQUE (role_id, action_id)
        )');
        $this->execute('CREATE TABLE projects (
            id bigserial PRIMARY KEY,
            name varchar(160) NOT NULL,
            slug varchar(160) NOT NULL UNIQUE
        )');
        $this->execute('CREATE TABLE tasks (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            project_id bigint NOT NULL REFERENCES projects (id),
            type_id integer NOT NULL REFERENCES types (id),
            title varchar(250) NOT NULL,
            created timestamptz NOT NULL DEFAULT now()
        )');
    }
}
