namespace ActorTrainer.Host.Configuration;

/// <summary>A property of an option record that a key sets.</summary>
/// <param name="Owner">Option record.</param>
/// <param name="Property">Property of it.</param>
public readonly record struct KeyTarget(Type Owner, string Property);

/// <summary>One setting. Its default and its line of help stand in reference.conf.</summary>
/// <param name="Name">Full name, e.g. <c>train.optim.lr</c>.</param>
/// <param name="Type">Allowed values.</param>
/// <param name="Targets">Properties that it sets; more than one where rooms share a figure.</param>
public sealed record ConfigKey(string Name, KeyType Type, IReadOnlyList<KeyTarget> Targets)
{
    /// <summary>First part of the name; empty for a top-level key.</summary>
    public string Section => Name.Contains('.') ? Name[..Name.IndexOf('.')] : "";

    /// <summary>Whether values may hold a password: they are never printed, logged or sent.</summary>
    public bool Secret { get; init; }
}
