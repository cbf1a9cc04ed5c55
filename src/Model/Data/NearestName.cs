namespace ActorTrainer.Model.Data;

/// <summary>The most similar of some names, for messages about a missing file.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the fewest edits to <paramref name="name"/>, or null when none is similar.</summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        var best = candidates
            .Select(candidate => (candidate, edits: Edits(name.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.edits)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .FirstOrDefault();
        return best.candidate is not null && best.edits <= Math.Max(2, name.Length / 2) ? best.candidate : null;
    }

    /// <summary>Levenshtein distance.</summary>
    private static int Edits(string a, string b)
    {
        var previous = new int[b.Length + 1];
        var current = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            previous[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(replace, Math.Min(previous[j], current[j - 1]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[b.Length];
    }
}
