namespace ActorTrainer.Actors.Crew;

/// <summary>Which nodes in which order: all of them as long as they are few, else from the fastest on by exchanging two at a time.</summary>
internal static class PlacementOrders
{
    /// <summary>Most nodes of which all orders are tried (6 of 6: 720).</summary>
    public const int MostForAll = 6;

    /// <summary>All orders of <paramref name="count"/> of the nodes, by name.</summary>
    public static IEnumerable<PlacementNode[]> All(IReadOnlyList<PlacementNode> nodes, int count)
    {
        var order = new PlacementNode[count];
        var used = new bool[nodes.Count];
        return Fill(0);

        IEnumerable<PlacementNode[]> Fill(int seat)
        {
            if (seat == count)
            {
                yield return [.. order];
                yield break;
            }

            for (var i = 0; i < nodes.Count; i++)
            {
                if (used[i])
                {
                    continue;
                }

                (used[i], order[seat]) = (true, nodes[i]);
                foreach (var filled in Fill(seat + 1))
                {
                    yield return filled;
                }

                used[i] = false;
            }
        }
    }

    /// <summary>Orders worth a look when there are too many: from the fastest and from the largest nodes, improved by exchanges.</summary>
    /// <param name="nodes">Nodes, by name.</param>
    /// <param name="count">Seats.</param>
    /// <param name="score">The smaller the better.</param>
    public static IEnumerable<PlacementNode[]> Improved<TScore>(IReadOnlyList<PlacementNode> nodes, int count, Func<PlacementNode[], TScore> score)
        where TScore : IComparable<TScore>
    {
        yield return Improve([.. nodes.OrderByDescending(n => n.Speed).ThenByDescending(n => n.Holds.Count)], count, score);
        yield return Improve([.. nodes.OrderByDescending(n => n.MemoryBytes).ThenByDescending(n => n.Speed)], count, score);
    }

    private static PlacementNode[] Improve<TScore>(PlacementNode[] all, int count, Func<PlacementNode[], TScore> score)
        where TScore : IComparable<TScore>
    {
        var now = score(all[..count]);
        for (var better = true; better;)
        {
            better = false;
            for (var i = 0; i < count; i++)
            {
                for (var j = i + 1; j < all.Length; j++)
                {
                    (all[i], all[j]) = (all[j], all[i]);
                    if (score(all[..count]) is var swapped && swapped.CompareTo(now) < 0)
                    {
                        (now, better) = (swapped, true);
                    }
                    else
                    {
                        (all[i], all[j]) = (all[j], all[i]);
                    }
                }
            }
        }

        return all[..count];
    }
}
