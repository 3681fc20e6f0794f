package io.peftj.djl.backbone;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Things that are closed together, once. */
final class Owned {
    private final Set<AutoCloseable> resources = Collections.newSetFromMap(new IdentityHashMap<>());

    synchronized void add(AutoCloseable resource) {
        resources.add(resource);
    }

    synchronized void remove(AutoCloseable resource) {
        resources.remove(resource);
    }

    void close() {
        for (AutoCloseable resource : takeAll()) {
            try {
                resource.close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException("closing " + resource + " failed: " + e.getMessage(), e);
            }
        }
    }

    /** Resources that are being closed may ask to be removed. */
    private synchronized List<AutoCloseable> takeAll() {
        List<AutoCloseable> all = List.copyOf(resources);
        resources.clear();
        return all;
    }
}
