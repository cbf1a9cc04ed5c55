using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Rules between keys of the section <c>he</c>.</summary>
internal static class HeChecks
{
    /// <summary>What is wrong, a sentence each.</summary>
    public static IEnumerable<string> Problems(HeOptions he)
    {
        if (he.Refresh != RefreshKind.Owner && !BootstrapShape.Fits(he.Parameters()))
        {
            yield return $"he.refresh={he.Refresh.ToString().ToLowerInvariant()} needs a set with levels for bootstrapping, and he.set={he.Set} has none; use he.set={ParameterSets.B16D.Name} (he=bootstrap), or he.refresh=owner.";
        }

        if (he.Refresh == RefreshKind.Owner && he.Helpers.Count > 0)
        {
            yield return "he.helpers names helpers, who bootstrap, but he.refresh=owner: the owner refreshes alone. Leave he.helpers out, or use he=bootstrap.";
        }

        if (he.Refresh == RefreshKind.Owner && he.Twice != SecondIteration.None)
        {
            yield return "he.twice tells what is bootstrapped twice, but he.refresh=owner: the owner's refreshes lose nothing. Leave he.twice out, or use he=bootstrap.";
        }

        if (he.Refresh == RefreshKind.Mixed && he.Twice == SecondIteration.State)
        {
            yield return "he.twice=state, but with he.refresh=mixed the owner lifts weights and moments. Leave he.twice out, or use he.refresh=bootstrap.";
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
