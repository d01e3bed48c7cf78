package example;

import java.util.LinkedHashMap;
import java.util.Map;

/** The ids of the last notifications that were handled; the oldest is forgotten first. */
final class SeenIds {
    private static final int KEPT = 100_000;

    private final Map<String, Boolean> ids =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                    return size() > KEPT;
                }
            };

    boolean contains(String id) {
        return ids.containsKey(id);
    }

    void add(String id) {
        ids.put(id, true);
    }
}
