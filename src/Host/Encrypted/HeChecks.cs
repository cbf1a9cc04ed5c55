using ActorTrainer.Actors.Encrypted;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Rules between keys of the section <c>he</c>.</summary>
internal static class HeChecks
{
    /// <summary>What is wrong, a sentence each.</summary>
    public static IEnumerable<string> Problems(HeOptions he)
    {
        if (he.Refresh != RefreshKind.Owner)
        {
            yield return $"he.refresh={he.Refresh.ToString().ToLowerInvariant()} is not available: bootstrapping is not built yet; use he.refresh=owner.";
        }

        if (EncryptedRecipe.SetProblem(he.Set, he.AllowInsecure) is { } problem)
        {
            yield return problem;
        }

        foreach (var (key, number) in new[] { ("he.tokens", he.Tokens), ("he.batch", he.Batch) }.Where(pair => pair.Item2 > 0 && !int.IsPow2(pair.Item2)))
        {
            yield return $"{key}={number} must be a power of two, or 0.";
        }
    }
}
