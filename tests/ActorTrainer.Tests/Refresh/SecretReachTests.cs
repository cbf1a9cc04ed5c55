using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

/// <summary>No type of a stage leads to one that holds a secret key.</summary>
public sealed class SecretReachTests
{
    private static readonly Type[] Secrets = [typeof(SecretKey), typeof(KeyGenerator), typeof(Decryptor), typeof(Encryptor), typeof(OwnerRefresh)];

    [Fact]
    public void No_type_of_a_stage_leads_to_a_secret_key()
    {
        var roots = Roots();
        Assert.Contains(typeof(OwnerRefresher), roots);
        Assert.Contains(typeof(PeerRefreshChannel), roots);
        Assert.Contains(typeof(StageActor), roots);
        Assert.Superset(WireSerializer.KnownTypes.ToHashSet(), roots.ToHashSet());

        var paths = SecretReach.From(roots);

        Assert.Contains(typeof(CkksContext), paths.Keys);
        Assert.Contains(typeof(Ciphertext), paths.Keys);
        Assert.Empty(paths.Keys.Where(IsSecret).Select(secret => SecretReach.Path(paths, secret)));
    }

    [Theory]
    [InlineData(typeof(SecretKey))]
    [InlineData(typeof(Decryptor))]
    [InlineData(typeof(Encryptor))]
    [InlineData(typeof(OwnerRefresh))]
    public void The_walk_does_find_secrets_from_the_data_owner(Type secret)
    {
        var paths = SecretReach.From([typeof(DataOwner)]);

        Assert.StartsWith(nameof(DataOwner), SecretReach.Path(paths, secret));
    }

    [Fact]
    public void The_walk_sees_locals_captured_variables_generic_arguments_and_what_methods_take()
    {
        Assert.All(
            new[] { typeof(HasLocal), typeof(Captures), typeof(HasArgument), typeof(Derives), typeof(Calls), typeof(HasProperty) },
            type => Assert.Contains(typeof(SecretKey), SecretReach.From([type]).Keys));
        Assert.DoesNotContain(typeof(SecretKey), SecretReach.From([typeof(Harmless)]).Keys);
    }

    private static Type[] Roots() =>
    [
        .. typeof(StageActor).Assembly.GetTypes().Where(type =>
            type.Namespace is "ActorTrainer.Actors.Encrypted" or "ActorTrainer.Actors.Stages" or "ActorTrainer.Actors.Protocol" || typeof(IWire).IsAssignableFrom(type)),
    ];

    private static bool IsSecret(Type type) => Secrets.Contains(type) || type.Namespace == typeof(DataOwner).Namespace;

#pragma warning disable CS0649, CS0169, IDE0051, IDE0052, CA1823 // made to be looked at
    private sealed class Harmless
    {
        public CkksContext? Context { get; set; }

        public IReadOnlyList<Ciphertext> Ciphertexts { get; } = [];
    }

    private class HasProperty
    {
        public SecretKey? Key { get; set; }
    }

    private sealed class Derives : HasProperty;

    private sealed class HasArgument
    {
        public List<Func<Lazy<SecretKey[]>>>? Keys;
    }

    private sealed class HasLocal
    {
        public static object Make(KeyGenerator generator) => generator.NewSecretKey();
    }

    private sealed class Captures
    {
        public static Func<string?> Text(object key)
        {
            var typed = key as SecretKey;
            return () => typed?.ToString();
        }
    }

    private sealed class Calls
    {
        public static void Dispose(object key) => ((SecretKey)key).Dispose();
    }
#pragma warning restore CS0649, CS0169, IDE0051, IDE0052, CA1823
}
