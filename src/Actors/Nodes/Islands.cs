namespace ActorTrainer.Actors.Nodes;

/// <summary>
/// Two clusters that formed apart from nodes of one configuration (say, the first seed was restarted while it could reach nobody) never
/// become one by themselves: the processes of one have to end and join the other.
/// </summary>
public static class Islands
{
    /// <summary>
    /// Whether this cluster is to give way to another. Clusters that share a member are one, whatever its parts see of each other. The
    /// smaller one goes; of two equal ones, the one whose lowest address is higher.
    /// </summary>
    /// <param name="mine">Members of this cluster, as host:port#uid.</param>
    /// <param name="other">Members of the other one.</param>
    public static bool GivesWay(IReadOnlyCollection<string> mine, IReadOnlyCollection<string> other)
    {
        if (mine.Count == 0 || other.Count == 0 || !AreApart(mine, other))
        {
            return false;
        }

        return mine.Count != other.Count
            ? mine.Count < other.Count
            : string.CompareOrdinal(mine.Min(StringComparer.Ordinal), other.Min(StringComparer.Ordinal)) > 0;
    }

    /// <summary>Whether these are two clusters.</summary>
    public static bool AreApart(IReadOnlyCollection<string> mine, IReadOnlyCollection<string> other) => !mine.Intersect(other).Any();
}
