package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the adapters of requests come from: a registry of the caller's, or one of its own with one adapter or none.
 *
 * @param adapters the registry
 * @param own whether the registry is closed with this
 * @param name the one adapter; null for the base model alone
 */
record Source(Adapters adapters, boolean own, @Nullable String name) implements AutoCloseable {
    static Source of(Backbone base) {
        return new Source(Adapters.on(base), true, null);
    }

    static Source of(Backbone base, Adapter adapter) {
        Adapters one = Adapters.on(base);
        try {
            one.put(adapter.type(), adapter);
        } catch (RuntimeException e) {
            one.close();
            throw e;
        }
        return new Source(one, true, adapter.type());
    }

    static Source of(Adapters adapters) {
        return new Source(adapters, false, null);
    }

    Backbone base() {
        return adapters.base();
    }

    /**
     * Requests to the one adapter.
     *
     * @throws IllegalStateException if the registry is the caller's, so that no adapter is meant by itself
     */
    List<Request> requests(List<String> texts) {
        if (!own) {
            throw new IllegalStateException(
                    "texts alone do not say which adapter of the registry is meant; use requests that name it");
        }
        return texts.stream().map(text -> Request.of(text).with(name)).toList();
    }

    /** Keeps the requests' adapters until the handle is closed. */
    Adapters.Leased lease(List<Request> requests) {
        List<@Nullable String> names = new ArrayList<>();
        requests.forEach(request -> names.add(request.adapter()));
        return adapters.lease(names);
    }

    @Override
    public void close() {
        if (own) {
            adapters.close();
        }
    }
}
