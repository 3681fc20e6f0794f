package io.peftj.methods.lora;

import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import java.util.Map;

/** A part whose change of its module is a product of two small matrices. */
interface LowRankPart extends LoraPart {
    /** Where it is. */
    Site site();

    /** The change that stored parameters make. */
    Factors factors(Map<String, HostTensor> stored);

    /** Matrices as stored parameters where the scale is 1. */
    Map<String, HostTensor> named(Factors factors);
}
