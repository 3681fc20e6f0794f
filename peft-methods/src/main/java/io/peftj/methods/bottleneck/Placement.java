package io.peftj.methods.bottleneck;

import io.peftj.core.adapter.Contribution.Reads;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.Activation;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Where a layer's bottlenecks stand, with the paper's settings. */
public enum Placement {
    /** Behind attention and behind the feed-forward network (Houlsby et al., arXiv 1902.00751). */
    HOULSBY(Reads.OUTPUT, Activation.SILU, 1, 16),
    /** Behind the feed-forward network alone (Pfeiffer et al., arXiv 2005.00247). */
    PFEIFFER(Reads.OUTPUT, Activation.RELU, 1, 16),
    /** Beside the feed-forward network, whose input they read (He et al., arXiv 2110.04366). */
    PARALLEL(Reads.INPUT, Activation.RELU, 4, 2);

    private final Reads reads;
    private final Activation activation;
    private final double scale;
    private final int reduction;

    Placement(Reads reads, Activation activation, double scale, int reduction) {
        this.reads = reads;
        this.activation = activation;
        this.scale = scale;
        this.reduction = reduction;
    }

    /** A placement by its name in files. */
    public static Optional<Placement> named(String name) {
        return Arrays.stream(values()).filter(p -> p.fileName().equals(name)).findFirst();
    }

    /** Its name in files, such as "houlsby". */
    public String fileName() {
        return name().toLowerCase(Locale.ROOT);
    }

    List<Sublayer> sublayers() {
        return this == HOULSBY ? List.of(Sublayer.ATTENTION, Sublayer.FEED_FORWARD) : List.of(Sublayer.FEED_FORWARD);
    }

    Reads reads() {
        return reads;
    }

    Activation activation() {
        return activation;
    }

    double scale() {
        return scale;
    }

    int reduction() {
        return reduction;
    }
}
