package org.hirengine.engine.config;

import org.jspecify.annotations.Nullable;

/** Training on several processes ("ranks"), which a launcher starts. */
public record DistributedSection(
    @Key(
            doc =
                "Seconds that a rank waits for the others; must exceed the time that one rank's"
                    + " sampling can lag behind another's.",
            value = "300",
            min = 1,
            max = 86400)
        int timeout,
    @Key(
            doc =
                "Parts of a mini-batch whose gradients are summed in a fixed order, a multiple"
                    + " of the ranks; a power of two gives the same bits on 1, 2, 4, ... ranks"
                    + " up to it. null is one part per rank.",
            value = "null",
            min = 1,
            max = 1024)
        @Nullable Integer parts) {}
