namespace ActorTrainer.Host.Configuration;

/// <summary>Finds what a user probably meant.</summary>
public static class Spelling
{
    /// <summary>
    /// Edits between two words: insertions, deletions, substitutions and swaps of neighbours (Damerau–Levenshtein, restricted
    /// to one edit per place), ignoring case.
    /// </summary>
    public static int Distance(string a, string b)
    {
        a = a.ToLowerInvariant();
        b = b.ToLowerInvariant();
        var cost = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }

                var change = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(change, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
                }
            }
        }

        return cost[a.Length, b.Length];
    }

    /// <summary>The candidate with the fewest edits from <paramref name="word"/>, the first of equals; null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        var best = candidates.Select(candidate => (Candidate: candidate, Distance: Distance(word, candidate)))
            .OrderBy(pair => pair.Distance)
            .FirstOrDefault();
        return best.Candidate is not null && best.Distance <= Tolerance(word) ? best.Candidate : null;
    }

    /// <summary>
    /// Full keys near <paramref name="word"/>, best first and equals together: by the whole key, or by its last part, where a
    /// wrong section counts as one edit. So <c>lr</c> finds <c>train.optim.lr</c>, and <c>arch.layrs</c> finds <c>arch.layers</c>.
    /// </summary>
    public static IReadOnlyList<string> NearestKeys(string word, IEnumerable<string> keys)
    {
        var scored = keys.Select(key => (Key: key, Score: KeyDistance(word, key))).Where(pair => pair.Score < int.MaxValue).ToList();
        return scored.Count == 0 ? [] : [.. scored.Where(pair => pair.Score == scored.Min(other => other.Score)).Select(pair => pair.Key).Take(3)];
    }

    private static int KeyDistance(string word, string key)
    {
        var whole = Distance(word, key);
        var (wordLast, keyLast) = (Last(word), Last(key));
        var last = Distance(wordLast, keyLast);
        var elsewhere = word.Contains('.') && Section(word) != Section(key) ? 1 : 0;
        var best = int.MaxValue;
        if (whole <= Tolerance(word))
        {
            best = whole;
        }

        if (last <= Tolerance(wordLast))
        {
            best = Math.Min(best, last + elsewhere);
        }

        return best;
    }

    private static int Tolerance(string word) => Math.Max(1, word.Length / 3);

    private static string Last(string key) => key[(key.LastIndexOf('.') + 1)..];

    private static string Section(string key) => key.Split('.')[0];
}
