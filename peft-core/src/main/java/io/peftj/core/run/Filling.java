package io.peftj.core.run;

import io.peftj.core.site.OutputRange;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Makes tensors over some of a site's outputs into ones over all of them. */
public final class Filling {
    private Filling() {}

    /** The entries of some outputs along an axis that counts all of a site's. */
    public static Tensor part(OutputRange outputs, Tensor all, int axis) {
        return outputs.isAll() ? all : all.slice(axis, outputs.begin(), outputs.end());
    }

    /**
     * A tensor with {@code fill} for the other outputs.
     *
     * @param some has outputs.size() entries along the axis
     * @param axis the axis that counts outputs
     * @return as many entries as the site has outputs along the axis; the tensor itself if these are all
     */
    public static Tensor up(Session session, OutputRange outputs, Tensor some, int axis, double fill) {
        if (outputs.isAll()) {
            return some;
        }
        List<Tensor> parts = new ArrayList<>(List.of(some));
        if (outputs.begin() > 0) {
            parts.add(0, filled(session, some, axis, outputs.begin(), fill));
        }
        if (outputs.end() < outputs.site().out()) {
            parts.add(filled(session, some, axis, outputs.site().out() - outputs.end(), fill));
        }
        return Tensor.concat(parts, axis);
    }

    private static Tensor filled(Session session, Tensor like, int axis, int size, double fill) {
        return session.zeros(like.shape().with(axis, size), like.dtype()).affine(1, fill);
    }
}
