package io.peftj.methods.pedro;

import io.peftj.core.site.Role;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What PEDRO's vectors scale in a layer. */
public enum PedroTarget {
    /** Queries. */
    QUERY("q", Role.QUERY),
    /** Values. */
    VALUE("v", Role.VALUE),
    /** The widened state of the feed-forward network, before a gate or an activation. */
    UP("up", Role.UP);

    /** The names in files. */
    static final List<String> KEYS =
            Arrays.stream(values()).map(PedroTarget::key).toList();

    private final String key;
    private final Role role;

    PedroTarget(String key, Role role) {
        this.key = key;
        this.role = role;
    }

    /** The name in files, such as "q". */
    public String key() {
        return key;
    }

    Role role() {
        return role;
    }

    /** The target of a name; empty if there is none. */
    public static Optional<PedroTarget> named(String key) {
        return Arrays.stream(values()).filter(target -> target.key.equals(key)).findFirst();
    }
}
