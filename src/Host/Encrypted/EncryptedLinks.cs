using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The ways from a stage on a node to the data owner and to helpers.</summary>
internal static class EncryptedLinks
{
    /// <summary>A helper has a pair at a time, as bootstrapping takes them together, and may be slow: that it is gone a connection tells.</summary>
    private static readonly OwnerRefresherSettings Pairs = new(PartSize: 2, MaxInFlight: 1);

    private static readonly RefreshPatience Slow = new() { Answer = TimeSpan.FromMinutes(10) };

    /// <summary>Those that a recipe names.</summary>
    /// <param name="say">Told who is lost, and who answers again.</param>
    public static IOwnerLink Of(EncryptedRecipe recipe, CkksContext context, IPeerNetwork network, Action<string> say)
    {
        IOwnerLink owner = recipe.Refresh == RefreshKind.Bootstrap ? new AbsentOwner() : new OwnerRefresher(context, new PeerRefreshChannel(context, network, recipe.Owner, say));
        return recipe.Helpers.Count == 0
            ? owner
            : new HelpedLink(owner, [.. recipe.Helpers.Select(address => new OwnerRefresher(context, new PeerRefreshChannel(context, network, address, say, Slow, toHelper: true), Pairs))]);
    }
}
