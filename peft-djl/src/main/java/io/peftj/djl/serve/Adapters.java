package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Adapters of one backbone by name, in the backend's memory. Thread-safe.
 *
 * <p>Adding, replacing and removing may happen while requests run: a request keeps the adapter it began with, which is freed after its last use. Closing the
 * backbone closes its registries.
 */
public final class Adapters implements AutoCloseable {
    private final Backbone base;
    private final Map<String, ServedAdapter> byName = new TreeMap<>();
    private boolean closed;

    private Adapters(Backbone base) {
        this.base = base;
    }

    /** An empty registry. */
    public static Adapters on(Backbone base) {
        Adapters adapters = new Adapters(base);
        base.own(adapters);
        return adapters;
    }

    /** The model they are for. */
    public Backbone base() {
        return base;
    }

    /**
     * Adds an adapter, or puts it in the place of the one that had the name.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if it was made for another model; the registry is as before
     * @throws IllegalStateException if the registry is closed
     */
    public void put(String name, Adapter adapter) {
        try (Backbone.Held held = base.hold("put")) {
            ServedAdapter served = new ServedAdapter(base, name, adapter);
            ServedAdapter before;
            synchronized (this) {
                if (closed) {
                    served.lease().close();
                    throw new IllegalStateException("put: the registry of adapters is closed");
                }
                before = byName.put(name, served);
            }
            if (before != null) {
                before.lease().close();
            }
        }
    }

    /**
     * Removes an adapter; requests that are running with it finish.
     *
     * @throws UnknownAdapterException if there is none of that name
     */
    public void remove(String name) {
        ServedAdapter removed;
        synchronized (this) {
            removed = find(name);
            byName.remove(name);
        }
        removed.lease().close();
    }

    /** The names there are. */
    public synchronized SortedSet<String> names() {
        return new TreeSet<>(byName.keySet());
    }

    @Override
    public void close() {
        List<ServedAdapter> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(byName.values());
            byName.clear();
        }
        base.disown(this);
        all.forEach(served -> served.lease().close());
    }

    /**
     * Keeps the adapters of some names until the handle is closed.
     *
     * @param names null stands for the base model alone
     * @throws UnknownAdapterException if a name is unknown
     */
    Leased lease(Collection<@Nullable String> names) {
        Backbone.Held held = base.hold("request");
        Map<String, ServedAdapter> found = new LinkedHashMap<>();
        try {
            synchronized (this) {
                for (String name : names) {
                    if (name != null && !found.containsKey(name)) {
                        ServedAdapter served = find(name);
                        served.lease().enter("request");
                        found.put(name, served);
                    }
                }
            }
        } catch (RuntimeException e) {
            new Leased(held, found).close();
            throw e;
        }
        return new Leased(held, found);
    }

    private ServedAdapter find(String name) {
        ServedAdapter served = byName.get(name);
        if (served == null) {
            throw new UnknownAdapterException("no adapter is called \"" + name + "\"; there are "
                    + new ArrayList<>(byName.keySet()) + "; put it into the registry before requests name it");
        }
        return served;
    }

    /** Adapters in use, with their backbone. */
    record Leased(Backbone.Held held, Map<String, ServedAdapter> byName) implements AutoCloseable {
        /** The adapter of a name; null for the base model alone. */
        @Nullable
        ServedAdapter of(@Nullable String name) {
            return name == null ? null : byName.get(name);
        }

        @Override
        public void close() {
            byName.values().forEach(served -> served.lease().leave());
            held.close();
        }
    }
}
