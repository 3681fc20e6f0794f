package io.peftj.djl.chat.jinja;

import java.util.List;

/** Something that writes or sets variables. */
@FunctionalInterface
interface Statement {
    /** How the statement before the next one ended. */
    enum End {
        /** The next one follows. */
        NORMAL,
        /** The loop around is left. */
        BREAK,
        /** The loop around goes on with its next round. */
        CONTINUE
    }

    End run(Scope scope, StringBuilder out);

    /** Runs statements until one leaves a loop. */
    static End runAll(List<Statement> statements, Scope scope, StringBuilder out) {
        for (Statement statement : statements) {
            End end = statement.run(scope, out);
            if (end != End.NORMAL) {
                return end;
            }
        }
        return End.NORMAL;
    }
}
