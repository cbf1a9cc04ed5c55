using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary>Roles as a user writes them: <c>stage</c>, <c>[coordinator,stage]</c>.</summary>
internal static class NodeRoles
{
    private static readonly string[] All = [NodeReport.Role.Coordinator, NodeReport.Role.Stage, NodeReport.Role.Evaluator];

    /// <summary>Reads roles.</summary>
    /// <exception cref="RefusedException">None is given, one is unknown, or one comes twice.</exception>
    public static IReadOnlyList<string> Parse(string? text)
    {
        var inner = text?.Trim() ?? "";
        inner = inner.StartsWith('[') && inner.EndsWith(']') && inner.Length > 1 ? inner[1..^1] : inner;
        var roles = inner.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (roles.Length == 0)
        {
            throw new RefusedException($"role is missing; a node has one or several of {string.Join(", ", All)}: role=stage, 'role=[coordinator,stage]'.");
        }

        foreach (var role in roles)
        {
            if (!All.Contains(role))
            {
                var nearest = Spelling.Nearest(role, All) is { } near ? $"; did you mean {near}?" : ".";
                throw new RefusedException($"role={text}: there is no role {role}{nearest} Roles: {string.Join(", ", All)}");
            }
        }

        return roles.Distinct().Count() == roles.Length ? roles : throw new RefusedException($"role={text}: a role is named twice; name it once.");
    }
}
