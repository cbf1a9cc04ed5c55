namespace ActorTrainer.Host.Configuration;

/// <summary>A value and where it comes from.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">Value of the key's type.</param>
/// <param name="Origin"><c>reference.conf</c>, <c>arch=tiny</c>, <c>dev defaults</c>, <c>command line</c>, <c>from data.path</c>.</param>
public sealed record ConfigValue(ConfigKey Key, object Value, string Origin)
{
    /// <summary>The value as HOCON.</summary>
    public string Text => Key.Type.Format(Value);

    /// <summary>Whether a secret is set, which must not be shown.</summary>
    public bool Hidden => Key.Secret && Value is not "";

    /// <summary>The value as HOCON for a screen or a log; a secret only as being set.</summary>
    public string Shown => Hidden ? "\"(set, not shown)\"" : Text;

    /// <summary>The value as it is typed after <c>key=</c>.</summary>
    public string Typed => Value is string text ? text : Text;
}

/// <summary>A merged and checked configuration.</summary>
/// <param name="Values">Every key, in the order of the schema.</param>
/// <param name="Run">The same, typed.</param>
public sealed record ResolvedConfiguration(IReadOnlyList<ConfigValue> Values, RunConfiguration Run);

/// <summary>What a command brings to its configuration.</summary>
/// <param name="Command">Name of the command.</param>
/// <param name="Defaults">Its own choices below the user's, as on a command line: <c>arch=dev</c>, <c>name=dev</c>.</param>
/// <param name="Accepts">Sections and keys that it reads; null = all. The user may set no others.</param>
/// <param name="ReadsModel">Whether its model is read from files: how many units there are to cut is known only then, and is no matter of <c>arch</c>.</param>
public sealed record ConfigProfile(string Command, IReadOnlyList<string> Defaults, IReadOnlyList<string>? Accepts = null, bool ReadsModel = false);
