package io.peftj.djl.engine;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Methods of several kernels' calls that came up so often that they were compiled. Safe to share between threads. */
final class Programs implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Programs.class);

    /** Compiling takes longer than some calls of a method save; what came up so often goes on to. */
    private static final int OFTEN = 32;

    /** Each is an archive of its own, for as long as the backend lives; what comes up after that many is called one by one. */
    private static final int MOST = 64;

    /** Texts that are counted; those that have not come up for longest are forgotten. */
    private static final int MOST_COUNTED = 1024;

    private final Function<String, Script> compiler;
    private final Map<String, Script> compiled = new HashMap<>();
    private final Map<String, Integer> counts = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
            return size() > MOST_COUNTED;
        }
    };

    private boolean closed;

    Programs(Function<String, Script> compiler) {
        this.compiler = compiler;
    }

    /** The method of this text, compiled if it has come up often; null as long as it has not. */
    @Nullable
    Script of(String text) {
        synchronized (this) {
            Script script = compiled.get(text);
            if (script != null) {
                return script;
            }
            // Who finds it often compiles it; others go on without it meanwhile.
            if (closed || counts.merge(text, 1, Integer::sum) != OFTEN || compiled.size() >= MOST) {
                return null;
            }
        }
        try {
            return keep(text, compiler.apply(text));
        } catch (RuntimeException e) {
            LOGGER.warn("kernels could not be joined to one call; they are called one by one:\n{}", text, e);
            return null;
        }
    }

    /** A text that was forgotten and came up again while it was compiled is compiled twice; one of the two is kept. */
    private synchronized @Nullable Script keep(String text, Script script) {
        counts.remove(text);
        if (closed) {
            script.close();
            return null;
        }
        Script first = compiled.putIfAbsent(text, script);
        if (first != null) {
            script.close();
        }
        return first == null ? script : first;
    }

    @Override
    public synchronized void close() {
        closed = true;
        compiled.values().forEach(Script::close);
        compiled.clear();
    }
}
