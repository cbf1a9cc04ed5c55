using System.Reflection;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.KeyHolder;

/// <summary>No type outside of the owner's room holds, takes, gives or uses what holds a secret key.</summary>
public sealed class KeyHolderReferencesTests
{
    private const BindingFlags Every = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Type[] Secret = [typeof(SecretKey), typeof(KeyGenerator), typeof(Encryptor), typeof(Decryptor), typeof(SecretKeyCoefficients)];

    [Fact]
    public void Nothing_of_the_cluster_knows_the_owners_room_or_a_secret_key()
    {
        var types = typeof(EncryptedDataset).Assembly.GetTypes().Where(type => type.Namespace is not null && !InRoom(type)).ToArray();

        Assert.True(types.Length > 300);
        Assert.Empty(types.SelectMany(type => Used(type).Where(IsSecret).Select(used => $"{type} uses {used}")));
    }

    [Fact]
    public void The_owners_room_is_found_out_by_the_same_look() =>
        Assert.Contains(Used(typeof(OwnerKeys)), IsSecret);

    private static bool InRoom(Type type) => type.Namespace == typeof(OwnerKeys).Namespace;

    private static bool IsSecret(Type type) => Secret.Contains(type) || InRoom(type);

    private static IEnumerable<Type> Used(Type type)
    {
        var methods = type.GetMethods(Every).Cast<MethodBase>().Concat(type.GetConstructors(Every)).ToArray();
        return type.GetFields(Every).Select(field => field.FieldType)
            .Concat(methods.SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType)))
            .Concat(methods.OfType<MethodInfo>().Select(method => method.ReturnType))
            .Concat(methods.SelectMany(method => method.GetMethodBody()?.LocalVariables.Select(local => local.LocalType) ?? []))
            .Concat(methods.SelectMany(Called))
            .SelectMany(Parts);
    }

    /// <summary>Types whose members a body names: every four bytes of it that are a token of this module.</summary>
    private static IEnumerable<Type> Called(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var i = 0; i + 4 < code.Length; i++)
        {
            // call, callvirt, newobj, ldsfld, ldftn's second byte
            if (code[i] is 0x28 or 0x6F or 0x73 or 0x7E or 0x06 && Member(method, BitConverter.ToInt32(code, i + 1)) is { } member)
            {
                yield return member;
            }
        }
    }

    private static Type? Member(MethodBase method, int token)
    {
        try
        {
            return method.Module.ResolveMember(token, method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null, method.IsGenericMethod ? method.GetGenericArguments() : null)?.DeclaringType;
        }
        catch (Exception e) when (e is ArgumentException or BadImageFormatException or MissingMemberException or FileNotFoundException)
        {
            return null; // bytes that are no token
        }
    }

    private static IEnumerable<Type> Parts(Type type) =>
        [type, .. type.HasElementType ? Parts(type.GetElementType()!) : [], .. type.IsGenericType ? type.GetGenericArguments() : []];
}
