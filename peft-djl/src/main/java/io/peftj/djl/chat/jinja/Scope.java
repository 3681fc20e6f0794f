package io.peftj.djl.chat.jinja;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Variables by name; what an inner scope sets goes with it. */
final class Scope {
    private final @Nullable Scope outer;
    private final Map<String, Object> variables = new HashMap<>();
    private final AtomicInteger openCalls;

    Scope(@Nullable Scope outer) {
        this.outer = outer;
        this.openCalls = outer == null ? new AtomicInteger() : outer.openCalls;
    }

    /** Calls of macros that have not returned, anywhere in the template. */
    AtomicInteger openCalls() {
        return openCalls;
    }

    Object get(String name) {
        Scope scope = this;
        while (scope != null) {
            Object found = scope.variables.get(name);
            if (found != null) {
                return found;
            }
            scope = scope.outer;
        }
        return new Values.Undefined(name);
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }
}
