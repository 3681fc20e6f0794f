package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Lease;
import io.peftj.djl.backbone.TextEncoder;
import org.jspecify.annotations.Nullable;

/** An adapter in a backend's memory, which is freed after its last use once it is closed. */
final class ServedAdapter {
    private final Adapter adapter;
    private final ResidentAdapter resident;
    private final @Nullable HeadSpec head;
    private final Lease lease;

    ServedAdapter(Backbone base, String name, Adapter adapter) {
        this.adapter = adapter;
        this.head = AdapterLoader.head(base.spec(), adapter);
        this.resident = AdapterLoader.resident(base, name, adapter);
        this.lease = new Lease(
                "adapter " + name,
                () -> base.backend().callUninterrupted(() -> {
                    resident.close();
                    return Boolean.TRUE;
                }));
    }

    ResidentAdapter resident() {
        return resident;
    }

    Adapter adapter() {
        return adapter;
    }

    /** The head that its rows go through; null for none. */
    @Nullable
    HeadSpec head() {
        return head;
    }

    /** Makes token ids as an adapter's training did; null for the base model alone. */
    static TextEncoder encoder(Backbone base, @Nullable ServedAdapter served) {
        return served == null
                ? TextEncoder.of(base, TaskData.NONE, 0)
                : TextEncoder.of(
                        base,
                        served.adapter.task(),
                        served.resident.plan().plan().positionShift());
    }

    Lease lease() {
        return lease;
    }
}
